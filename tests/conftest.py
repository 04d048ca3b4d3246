"""What all tests share."""

import os

from hypothesis import HealthCheck, settings

# Kernels are compiled anew, in processes that tests start as well: what lies in the user's cache is neither used nor
# added to.
os.environ["LAZYXP_CACHE_DIR"] = ""

# A loaded machine is no reason to fail: how long an example takes says nothing about whether it is right.
settings.register_profile("lazyxp", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lazyxp")
