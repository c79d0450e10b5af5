# The learning rate over steps.
set terminal svg size 640,200 noenhanced font 'sans-serif,14'
set ylabel 'learning rate' offset -2,0
set format y '%g'
set logscale y
set yrange [lowest:highest]
set lmargin 14
plot 'rates' using 1:2 with linespoints pointtype 7 pointsize 0.4 linecolor rgb 16 linewidth 2
