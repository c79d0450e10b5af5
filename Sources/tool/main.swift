// The program `charmlp`.

Tool.main()
