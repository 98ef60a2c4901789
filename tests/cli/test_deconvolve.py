"""``convtool deconvolve``: files in and out, the report, what it refuses."""

import json

import numpy as np
import pytest

import convtool
from convtool.cli import run
from convtool.images.samples import make
from convtool.images.write import write
