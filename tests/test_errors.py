"""What every error of portalops keeps, wherever it is raised."""

from __future__ import annotations

import pickle

from portalops.errors import ConfigurationError
from portalops.model.message import msg


def test_an_error_comes_whole_out_of_a_worker_process() -> None:
    error = ConfigurationError(msg("{n} keys are wrong", n=3), msg("Correct them."))

    back = pickle.loads(pickle.dumps(error))

    assert (type(back), str(back), back.message, back.hint) == (type(error), str(error), error.message, error.hint)
