"""The data, and the order of the batches."""

import numpy as np
import pytest

from {{ cookiecutter.package }}.data import Batches, DataError, load_data


def batches(**settings):
    x = np.arange(10)
    return Batches(x, -x, 4, **{"seed": 0, **settings})


def seen(one):
    return [one[index][0].tolist() for index in range(len(one))]


def test_the_parts_have_no_image_in_common():
    data = load_data()
    assert [len(x) for x, _ in (data.train, data.validation, data.test)] == [1149, 288, 360]
    assert data.train[0].shape[1:] == (8, 8, 1)
    parts = [{image.tobytes() for image in x} for x, _ in (data.train, data.validation, data.test)]
    assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]


def test_each_example_appears_once_with_its_label():
    one = batches()
    assert len(one) == 2
    assert len({example for batch in seen(one) for example in batch}) == 8
    assert all((one[index][1] == -one[index][0]).all() for index in range(len(one)))


def test_the_order_depends_on_the_seed_and_the_epoch():
    one, twin = batches(), batches()
    first = seen(one)
    one.set_epoch(1)
    assert seen(one) != first
    twin.set_epoch(1)
    assert seen(twin) == seen(one)
    assert seen(batches(seed=1)) != first


def test_processes_take_their_parts_of_each_batch():
    parts = [seen(batches(part=(rank, 2))) for rank in range(2)]
    for whole, left, right in zip(seen(batches()), *parts, strict=True):
        assert sorted(whole) == sorted(left + right)


def test_too_few_examples():
    with pytest.raises(DataError, match=r"^a batch of 16 needs more than 10 examples$"):
        Batches(np.arange(10), np.arange(10), 16, seed=0)
