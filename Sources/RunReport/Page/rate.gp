# The learning rate over steps.
set terminal svg size 640,200 noenhanced font 'sans-serif,14'
set xlabel 'step'
set ylabel 'learning rate' offset 1,0
set format x '%.0s%c'
set format y '%g'
set logscale y
set yrange [lowest:highest]
plot 'rates' using 1:2 with linespoints pointtype 7 linecolor rgb 16 linewidth 2
