"""One composed reward in every trainer: a file per trainer, each as thin as its way of calling allows.

A file imports its trainer only when a class of the trainer is asked for.
"""
