//! Goodput over time, a line for each strategy.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::load::{CALM, Summary, Trouble};

const SIZE: (u32, u32) = (900, 420);
const HEADER: i32 = 96;
const INK: RGBColor = RGBColor(0x1f, 0x29, 0x37);
const GRID: RGBColor = RGBColor(0xe5, 0xe7, 0xeb);
const TROUBLE: RGBColor = RGBColor(0xfd, 0xf4, 0xe3);
/// Okabe and Ito's palette, which colour-blind readers can tell apart.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0x8a, 0x8f, 0x98),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];

pub(super) fn draw(
    path: &Path,
    trouble: Trouble,
    summaries: &[&Summary],
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!("Calls that succeed, of 10,000 clients: {trouble}");
    root.draw(&Text::new(title, (16, 12), text(20)))?;
    let (_, panel) = root.split_vertically(HEADER);
    let (from, until) = (CALM.as_secs_f64(), (CALM + trouble.lasts()).as_secs_f64());
    let mut chart = ChartBuilder::on(&panel)
        .margin(8)
        .margin_right(16)
        .set_label_area_size(LabelAreaPosition::Left, 56)
        .set_label_area_size(LabelAreaPosition::Bottom, 40)
        .build_cartesian_2d(0.0..until + 120.0, 0.0..104.0)?;
    chart.draw_series([Rectangle::new([(from, 0.0), (until, 104.0)], TROUBLE.filled())])?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .x_labels(12)
        .x_label_formatter(&|seconds| format!("{seconds:.0}"))
        .y_label_formatter(&|value| format!("{value:.0}"))
        .label_style(text(15))
        .axis_desc_style(text(16))
        .x_desc("time, s")
        .y_desc("%")
        .draw()?;
    for (nth, (summary, colour)) in summaries.iter().zip(COLOURS).enumerate() {
        let points = summary.goodput_by_second().into_iter().enumerate();
        let points = points.map(|(second, share)| (second as f64 + 0.5, share * 100.0));
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        let (x, y) = (16 + 220 * (nth as i32 % 4), 44 + 24 * (nth as i32 / 4));
        root.draw(&PathElement::new([(x, y + 8), (x + 22, y + 8)], colour.stroke_width(4)))?;
        root.draw(&Text::new(summary.name.replace('`', ""), (x + 30, y), text(16)))?;
    }
    root.present()?;
    Ok(())
}

fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_text_style(&SIZE).color(&INK).pos(Pos::new(HPos::Left, VPos::Top))
}
