// The program `bench`.

import BenchCommand

Bench.main()
