from confluent_shim.cli import main

if __name__ == "__main__":
    main()
