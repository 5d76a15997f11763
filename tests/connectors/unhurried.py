"""Properties are checked without a clock: a machine under load is slow, and that proves nothing."""

from hypothesis import HealthCheck, settings

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
