// The program `train`.

import TrainCommand

Train.main()
