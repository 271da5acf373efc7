"""What tests of crowdalpha and of code built on it may use: strategies, fakes, conformance suites."""
