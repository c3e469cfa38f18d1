"""Warm kernels: processes forked from one that has the heavy imports done."""
