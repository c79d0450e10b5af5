# What all charts share. Colours are numbers of roles: the style sheet says what they look like.
# Roles: 1 axes, 2 grid, 3 labels, 4 paper; from 11 on the series.
set terminal svg size 640,360 noenhanced font 'sans-serif,14'
set output 'chart.svg'
set encoding utf8
set datafile separator '\t'
set datafile missing '?'
set border 3 linecolor rgb 1 linewidth 1
set tics nomirror out scale 0.5 textcolor rgb 3
set grid ytics linetype 1 dashtype solid linecolor rgb 2 linewidth 1
set key off
set xlabel offset 0,0.2 textcolor rgb 3
set ylabel textcolor rgb 3
set y2label textcolor rgb 3
set lmargin 9
set rmargin 9
set tmargin 1.5
set bmargin 3.6
set pointsize 0.5
set style fill solid 1 noborder
