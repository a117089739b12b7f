"""`python -m deployments.drill.world`: the world of a drill on its own."""

from deployments.drill.world.command import main

if __name__ == "__main__":
    main()
