"""The thresholds of non-maximum suppression, which `nms` explains.

Why these numbers: bbox mAP on 302 COCO photos, 76 of them val2017 (20 detections an image):

    hard NMS, IoU 0.6                      0.250   val2017 0.309
    hard NMS, IoU 0.6, box voting 0.7      0.254           0.316
    soft-NMS 0.5, hard from IoU 0.7        0.254           0.312
    both                                   0.257           0.319
    both and score / k, as below           0.255           0.320

What score / k costs there it gives back in search: text mAP rises from 0.685 to 0.715.

Against a score threshold of 0.001, 0.03 costs 0.001, 0.1 costs 0.005 and 0.3 costs 0.030. So rows
below 0.3 or so carry ranking, not certainty: they are not objects to count or to show.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NmsSettings:
    """Thresholds of the suppression. Scores and IoU lie in 0..1; `sigma` is an IoU squared."""

    score_threshold: float = 0.03
    iou_threshold: float = 0.7
    sigma: float = 0.5
    vote_iou: float = 0.7
    #: Best (anchor, class) pairs of an image that take part: bounds the work on busy photos.
    max_candidates: int = 300


DEFAULT_SETTINGS = NmsSettings()
