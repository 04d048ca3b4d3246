"""What all tests share."""

import pytest
from hypothesis import HealthCheck, settings

from lazyxp.testing import ASSERTING

pytest.register_assert_rewrite(*ASSERTING)

# A loaded machine is no reason to fail: how long an example takes says nothing about whether it is right.
settings.register_profile("lazyxp", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lazyxp")
