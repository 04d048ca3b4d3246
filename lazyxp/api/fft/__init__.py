"""The Fourier transform extension of the standard: ``xp.fft``.

Integers and booleans become the default floating-point dtype, as in NumPy; ``strict=True`` refuses them.
"""

from __future__ import annotations

from lazyxp.api.fft.frequencies import fftfreq, fftshift, ifftshift, rfftfreq
from lazyxp.api.fft.many_dims import fftn, ifftn, irfftn, rfftn
from lazyxp.api.fft.one_dim import fft, hfft, ifft, ihfft, irfft, rfft

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]
