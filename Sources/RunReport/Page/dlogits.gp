# dlogits as an image: a row for each window, a column for each symbol; transparent where it is zero.
set terminal svg size 640,680 noenhanced font 'sans-serif,13'
set border 0
set tics scale 0
set format x ''
set format y ''
unset grid
set lmargin 1
set rmargin 1
set tmargin 0.5
set bmargin 1
set xrange [-0.5 - columns * 0.23:columns - 0.5]
set yrange [rows - 0.5:-0.5 - rows * 0.05]
set arrow from -0.5, -0.5 to columns - 0.5, -0.5 nohead linecolor rgb 1
set arrow from -0.5, -0.5 to -0.5, rows - 0.5 nohead linecolor rgb 1
plot 'cells' using 1:2:3:4:5:6 with rgbalpha, \
     'contexts' using (-0.6 - columns * 0.01):1:2 with labels right textcolor rgb 3, \
     'symbols' using 1:(-0.5 - rows * 0.025):2 with labels textcolor rgb 3
