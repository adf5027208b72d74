import numpy as np
import pytest

from genzoo.data.labels import require_tokens, some_labelled


def test_some_labels_are_kept_equally_many_of_each_class():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(5), [10, 20, 30, 40, 3]))
    known = some_labelled(labels, 23)
    assert np.bincount(known[known >= 0]).tolist() == [5, 5, 5, 5, 3]
    assert ((known == labels) | (known == -1)).all()
    more = some_labelled(labels, 60)
    assert (more[known >= 0] == labels[known >= 0]).all()
    assert (more >= 0).sum() == 60
    assert np.array_equal(some_labelled(labels, 103), labels)


def test_what_are_no_tokens_of_the_spec_is_refused():
    tokens = np.arange(12).reshape(3, 4)
    require_tokens(tokens, [4, 12], "it")
    with pytest.raises(ValueError, match=r"it has token 11 at place 2, but its spec has tokens from 0 to 10; correct"):
        require_tokens(tokens, [4, 11], "it")
    for wrong in (tokens.astype(np.float32), tokens[:, :3], tokens[0]):
        with pytest.raises(ValueError, match=r"it has \w+ labels of shape .*, but the tokens .* int64 of shape \(4,\)"):
            require_tokens(wrong, [4, 12], "it")
