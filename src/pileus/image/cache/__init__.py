"""Copies of images on the host of an API process, for images whose stores are elsewhere or slow.

A row for each copy and host: it is there before the file, and what no row names is removed. Files are only ever complete: a
copy is written beside its name, checked against the image's hash and format, and renamed.
"""
