"""Delivery: the worker, the owners of its accounts, and the jobs that drive them."""
