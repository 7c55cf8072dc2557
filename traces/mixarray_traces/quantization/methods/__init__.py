"""Quantization methods: one file each, discovered by name.

A file defines `calibrate(material, options)`, and `SAMPLING` where the default is too little for it.
"""
