// The program `sample`.

import SampleCommand

Sample.main()
