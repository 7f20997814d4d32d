"""Double of the Community Health Toolkit, for tests and drills: `double.py SERVICE` is one of its services."""

import signal
import sys


def main(service):
    # The first process of a container hears signals only where it says so; like the original it ends at once.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if service in ('haproxy', 'healthcheck', 'nginx', 'nouveau', 'sentinel'):
        import front
        getattr(front, service)()
    else:
        __import__({'upgrade-service': 'upgrade_service'}.get(service, service)).main()


main(sys.argv[1])
