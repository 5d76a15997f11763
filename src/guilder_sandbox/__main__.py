"""Start the sandbox: python -m guilder_sandbox --home FOLDER."""

from guilder_sandbox.command import main

if __name__ == "__main__":
    main()
