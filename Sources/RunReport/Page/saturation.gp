# Saturated activations and dead units over steps.
set terminal svg size 480,300 noenhanced font 'sans-serif,14'
set format y '%g%%'
set yrange [0:5<*]
set lmargin 7
set rmargin 3.5
plot 'saturation' using 1:2 with linespoints pointtype 7 pointsize 0.4 linecolor rgb 12 linewidth 2, \
     'saturation' using 1:3 with linespoints pointtype 7 pointsize 0.4 linecolor rgb 13 linewidth 2
