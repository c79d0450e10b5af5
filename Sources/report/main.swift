// The program `report`.

import ReportCommand

Report.main()
