from __future__ import annotations

from detector.labels import CLASS_IDS, CLASS_NAMES, ID_BY_NAME, NAME_BY_ID


def test_there_are_80_classes_with_ids_from_1_to_90() -> None:
    assert len(CLASS_IDS) == len(set(CLASS_NAMES)) == 80
    assert (min(CLASS_IDS), max(CLASS_IDS)) == (1, 90)


def test_ids_have_the_gaps_of_coco() -> None:
    gaps = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
    assert set(range(1, 91)) - set(CLASS_IDS) == gaps


def test_names_are_spelled_as_in_coco() -> None:
    expected = {
        1: "person",
        17: "cat",
        58: "hot dog",
        60: "donut",
        63: "couch",
        64: "potted plant",
        72: "tv",
        89: "hair drier",
    }
    assert {id_: NAME_BY_ID[id_] for id_ in expected} == expected


def test_names_and_ids_lead_to_each_other() -> None:
    assert [ID_BY_NAME[NAME_BY_ID[id_]] for id_ in CLASS_IDS] == list(CLASS_IDS)
    assert [NAME_BY_ID[id_] for id_ in CLASS_IDS] == list(CLASS_NAMES)
