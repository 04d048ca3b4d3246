"""Develop a photograph with nothing but calls of the Python Array API standard.

Nothing here knows of lazyxp: `xp` may be any namespace that conforms to the standard, and NumPy is one.
"""

from __future__ import annotations

import math
from typing import Any

# What red, green and blue contribute to brightness (ITU-R BT.709).
BRIGHTNESS = (0.2126, 0.7152, 0.0722)


def develop(
    xp: Any, image: Any, *, sigma: float = 1.5, radius: int = 3, amount: float = 0.9, ink: float = 0.75
) -> tuple[Any, Any]:
    """Sharpen a photograph and draw its outlines over it.

    Parameters
    ----------
    xp : namespace
        Any Array API namespace.
    image : array of `xp`
        Shape ``(height, width, 3)``, float64, gamma-encoded (sRGB), from 0 to 1.
    sigma, radius : float, int
        Width of the Gaussian blur, and how many pixels to either side it looks at.
    amount : float
        How much of the detail that the blur loses is added again.
    ink : float
        How dark the outlines are, from 0 to 1.

    Returns
    -------
    picture : array
        Shape ``(height, width, 3)``, uint8.
    statistics : array
        Shape ``(4, 3)``, float64: mean, standard deviation, minimum and maximum of each channel of the picture.
    """
    linear = decode_gamma(xp, image)
    light = brightness(linear)

    blurred = blur(xp, blur(xp, light, sigma, radius, axis=0), sigma, radius, axis=1)
    sharp = light + amount * (light - blurred)
    gain = xp.clip(sharp, 0.0, 1.0) / xp.maximum(light, xp.asarray(1e-4, dtype=light.dtype))

    edges = sobel(xp, blurred)
    strongest = xp.maximum(xp.max(edges), xp.asarray(1e-12, dtype=edges.dtype))
    outline = xp.clip(2.0 * edges / strongest - 0.05, 0.0, 1.0)
    shade = gain * (1.0 - ink * outline)

    result = encode_gamma(xp, xp.clip(linear * xp.expand_dims(shade, axis=-1), 0.0, 1.0))
    picture = xp.astype(xp.round(result * 255.0), xp.uint8)
    return picture, statistics(xp, result)


def decode_gamma(xp: Any, image: Any) -> Any:
    """From sRGB values to amounts of light."""
    return xp.where(image <= 0.04045, image / 12.92, xp.pow((image + 0.055) / 1.055, 2.4))


def encode_gamma(xp: Any, light: Any) -> Any:
    """From amounts of light to sRGB values."""
    return xp.where(light <= 0.0031308, light * 12.92, 1.055 * xp.pow(light, 1.0 / 2.4) - 0.055)


def brightness(linear: Any) -> Any:
    """How bright each pixel is, shape ``(height, width)``."""
    red, green, blue = (weight * linear[:, :, channel] for channel, weight in enumerate(BRIGHTNESS))
    return red + green + blue


def pad(xp: Any, x: Any, width: int, axis: int) -> Any:
    """`x` with its first and last slice along `axis` repeated `width` times."""
    first, last = along(x, 0, 1, axis), along(x, x.shape[axis] - 1, x.shape[axis], axis)
    return xp.concat([first] * width + [x] + [last] * width, axis=axis)


def along(x: Any, start: int, stop: int, axis: int) -> Any:
    """``start:stop`` of `x` along `axis`."""
    return x[tuple(slice(start, stop) if i == axis else slice(None) for i in range(x.ndim))]


def shifted(xp: Any, x: Any, radius: int, axis: int) -> list[Any]:
    """`x` moved by ``-radius ... radius`` pixels along `axis`, edges repeated."""
    padded, length = pad(xp, x, radius, axis), x.shape[axis]
    return [along(padded, offset, offset + length, axis) for offset in range(2 * radius + 1)]


def blur(xp: Any, x: Any, sigma: float, radius: int, axis: int) -> Any:
    """Gaussian blur along one axis."""
    weights = [math.exp(-0.5 * (offset / sigma) ** 2) for offset in range(-radius, radius + 1)]
    terms = [weight / sum(weights) * part for weight, part in zip(weights, shifted(xp, x, radius, axis), strict=True)]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def sobel(xp: Any, x: Any) -> Any:
    """How steep `x` is at each pixel."""
    slopes = []
    for axis in (0, 1):
        before, _, after = shifted(xp, x, 1, axis)
        left, middle, right = shifted(xp, after - before, 1, 1 - axis)
        slopes.append(left + 2.0 * middle + right)
    return xp.hypot(slopes[0], slopes[1])


def statistics(xp: Any, picture: Any) -> Any:
    """Mean, standard deviation, minimum and maximum of each channel, shape ``(4, channels)``."""
    axes = (0, 1)
    return xp.stack(
        [
            xp.mean(picture, axis=axes),
            xp.std(picture, axis=axes),
            xp.min(picture, axis=axes),
            xp.max(picture, axis=axes),
        ]
    )
