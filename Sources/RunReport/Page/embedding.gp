# Each symbol at its place on the first two principal axes of C, with a disc behind it.
set terminal svg size 640,520 noenhanced font 'sans-serif,15'
set border 0
set format x ''
set format y ''
set tics scale 0
unset grid
set xzeroaxis linetype 1 linecolor rgb 2 linewidth 1
set yzeroaxis linetype 1 linecolor rgb 2 linewidth 1
set xlabel 'first principal axis' offset 0,0.6
set ylabel 'second principal axis' offset 2,0
set lmargin 7
set rmargin 2
set autoscale xfix
set autoscale yfix
set offsets graph 0.04, graph 0.04, graph 0.04, graph 0.04
plot 'others' using 1:2 with points pointtype 7 pointsize 1.8 linecolor rgb 15, \
     'consonants' using 1:2 with points pointtype 7 pointsize 1.8 linecolor rgb 11, \
     'vowels' using 1:2 with points pointtype 7 pointsize 1.8 linecolor rgb 12, \
     'others' using 1:2:3 with labels textcolor rgb 4, \
     'consonants' using 1:2:3 with labels textcolor rgb 4, \
     'vowels' using 1:2:3 with labels textcolor rgb 4
