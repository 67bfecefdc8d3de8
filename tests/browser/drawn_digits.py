"""Digits as strokes, and in NumPy what the page that draws digits does in JavaScript.

Written from the description of MNIST's preprocessing, by other means than the page's scripts: areas
come from sums that are interpolated, distances from whole arrays.
"""

import numpy as np

CELLS, PEN = 280, 12


def arc(x, y, width, height, start, end):
    angles = np.radians(np.linspace(start, end, 24))
    return list(zip(x + width * np.cos(angles), y + height * np.sin(angles), strict=True))


SEVEN = [(75, 55), (205, 55), (120, 235)]
DIGITS = [  # of each digit its strokes, points (x, y) on paper of 280 x 280
    [arc(140, 140, 60, 95, -90, 270)],
    [[(155, 45), (125, 235)]],
    [[*arc(140, 95, 55, 50, -170, 30), (80, 230), (205, 230)]],
    [[*arc(135, 90, 50, 45, -150, 90), *arc(135, 185, 60, 50, -90, 150)]],
    [[(110, 50), (75, 150), (200, 150)], [(165, 60), (160, 240)]],
    [[(195, 50), (110, 50), (100, 125), *arc(130, 175, 60, 55, -110, 140)]],
    [[(170, 45), (110, 110), *arc(140, 180, 50, 50, -180, 180)]],
    [SEVEN],
    [[*arc(140, 90, 40, 42, 90, 450), *arc(140, 185, 50, 50, -90, 270)]],
    [[*arc(140, 95, 48, 48, 0, -360), (185, 120), (150, 240)]],
]
NO_DIGITS = {
    "house": [[(70, 230), (70, 130), (140, 50), (210, 130), (210, 230), (70, 230)]],
    "heart": [
        [(140, 230), *arc(180, 110, 40, 40, 30, -180), *arc(100, 110, 40, 40, 0, -210), (140, 230)]
    ],
    "H": [[(85, 50), (85, 230)], [(195, 50), (195, 230)], [(85, 140), (195, 140)]],
}
BARS = {"half": [(115, 145), (200, 145)], "low": [(85, 185), (190, 185)]}


def rasterize(strokes):
    """Ink (280, 280) of strokes: 1 within the pen's radius, fading over one cell."""
    y, x = np.mgrid[:CELLS, :CELLS] + 0.5
    nearest = np.full((CELLS, CELLS), np.inf)
    for points in strokes:
        for a, b in zip([points[0], *points], points, strict=False):
            a, d = np.array(a), np.subtract(b, a)
            length = max(d @ d, 1e-12)
            along = np.clip(((x - a[0]) * d[0] + (y - a[1]) * d[1]) / length, 0, 1)
            distance = np.hypot(x - a[0] - along * d[0], y - a[1] - along * d[1])
            nearest = np.minimum(nearest, distance)
    return np.clip(PEN + 0.5 - nearest, 0, 1)


def normalize(ink):
    """An image (28, 28) as MNIST's are, of a square sheet of ink."""
    image = np.zeros((28, 28))
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if len(rows) == 0:
        return image
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = max(ink.shape) / 20
    edges = side * np.arange(21)
    for axis in (0, 1):  # the ink up to an edge, interpolated; its differences are areas
        sums = np.insert(np.cumsum(ink, axis=axis), 0, 0, axis=axis)
        places = np.arange(sums.shape[axis])
        ink = np.apply_along_axis(lambda s, p=places: np.diff(np.interp(edges, p, s)), axis, sums)
    box = ink / side**2
    middle = np.indices((20, 20)).reshape(2, -1) @ box.ravel() / box.sum()
    top, left = np.ceil(13.5 - middle - 1e-6).astype(int)  # the nearest, of two the upper or left
    for (row, column), value in np.ndenumerate(box):
        row, column = row + top, column + left
        if 0 <= row < 28 and 0 <= column < 28:
            image[row, column] = value
    return image
