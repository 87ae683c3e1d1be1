#!/bin/bash
# Succeeds where the server at 127.0.0.1 has a version of the model to answer with.
# The image has neither curl nor Python, so bash speaks HTTP itself.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/${1:-8501}"
printf 'GET /v1/models/ssd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
timeout 5 grep --quiet '"state": "AVAILABLE"' <&3
