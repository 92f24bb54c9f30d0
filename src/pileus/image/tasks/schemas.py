"""Bodies of the tasks API."""

from pileus.kernel.http.schema import Shape


class TaskInput(Shape):
    """`import_from` is a URL, `import_from_format` the disk format of its data; the image gets the properties."""

    import_from: str
    import_from_format: str
    image_properties: dict[str, object]


class TaskBody(Shape):
    type: str
    input: TaskInput
