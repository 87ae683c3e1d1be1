"""OpenVINO without its conversion tools: `from detector.openvino_import import openvino`.

Importing those sends usage data to their maker, from a forked process; nothing may leave the host,
and the fork can leave a process hanging that computes in another thread. They are not needed here,
and `import openvino` does without them where it cannot find them.
"""

from __future__ import annotations

import sys

sys.modules["openvino.tools.ovc"] = None  # type: ignore[assignment]  # Python's way to hide a module.

import openvino  # noqa: E402 - needs the line above

__all__ = ["openvino"]
