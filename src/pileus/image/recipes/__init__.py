"""Recipes that build guest images from distribution packages."""
