"""Buckets of servers that speak S3."""
