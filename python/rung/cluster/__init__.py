"""Sweeps on the worker processes of a cluster, with the bytes of one process."""
