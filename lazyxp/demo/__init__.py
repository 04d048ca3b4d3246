"""The demo: one photograph, developed by the same code on lazyxp and on NumPy."""
