"""Kernels as machine code: printed as LLVM IR, compiled for this processor, and kept on disk."""
