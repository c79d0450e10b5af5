// The program `gradcheck`.

import GradcheckCommand

Gradcheck.main()
