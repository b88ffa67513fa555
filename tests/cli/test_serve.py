"""What `sightline serve` says before it serves: wrong options end in one message."""

import pytest
from typer.testing import CliRunner

from sightline.cli.main import app

WRONG = {
    "say what to serve": [],
    "no system is called `nope`": ["--system", "nope"],
    "the variable is empty": ["--system", "visual-rft", "--token-env", "SIGHTLINE_NOT_SET"],
    "there is no such folder": ["--system", "visual-rft", "--media-root", "/nowhere/at/all"],
    "needs a number for one of": ["--system", "visual-rft", "--limit", "speed=3"],
    "needs NAME=VALUE": ["--system", "visual-rft", "--limit", "rows"],
    "`rows` must be positive": ["--system", "visual-rft", "--limit", "rows=0"],
    "other machines reach 0.0.0.0": ["--system", "visual-rft", "--host", "0.0.0.0"],
}


@pytest.mark.parametrize("said", WRONG)
def test_wrong_options(said):
    result = CliRunner().invoke(app, ["serve", *WRONG[said]])
    assert result.exit_code == 2, result.output
    assert said in result.output
