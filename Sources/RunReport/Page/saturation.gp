# Saturated activations and dead units over steps.
set terminal svg size 480,300 noenhanced font 'sans-serif,14'
set xlabel 'step'
set ylabel 'share' offset 1,0
set format x '%.0s%c'
set format y '%.0f%%'
set yrange [0:*<100]
set rmargin 2
plot 'saturation' using 1:2 with linespoints pointtype 7 pointsize 0.4 linecolor rgb '#000012' linewidth 2, \
     'saturation' using 1:3 with linespoints pointtype 7 pointsize 0.4 linecolor rgb '#000013' linewidth 2
