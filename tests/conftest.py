"""Property tests state what is true of every example, not how fast the machine is: Hypothesis measures no time here."""

from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
