//! The picture: goodput and server load over time, with the phases of the outage behind them.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use bartizan_core::BoxError;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::{Figures, percent};
use crate::run::{CLIENTS, NAMES};
use crate::scenario::{Scenario, Weather};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

const SIZE: (u32, u32) = (900, 588);
/// Title and legend end here, the phases' names stand below, and the panels share what is left.
const HEADER: i32 = 142;
const LOAD_FROM: i32 = 370;

const INK: RGBColor = RGBColor(0x1f, 0x29, 0x37);
const FAINT: RGBColor = RGBColor(0x6b, 0x72, 0x80);
const GRID: RGBColor = RGBColor(0xe5, 0xe7, 0xeb);
/// Behind what goes wrong, in turns; what is healthy stays white.
const TROUBLE: [RGBColor; 2] = [RGBColor(0xfd, 0xf4, 0xe3), RGBColor(0xfa, 0xe8, 0xcc)];
/// Grey, and vermilion, sky blue, blue and bluish green of Okabe and Ito's palette: told apart by colour-blind readers too. Retry and
/// timeouts alone are a lighter stack.
const COLOURS: [RGBColor; CLIENTS] = [
    RGBColor(0x8a, 0x8f, 0x98),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
];

/// Draws the runs into the SVG file at `path`.
pub(crate) fn draw(path: &Path, scenario: &Scenario, runs: &[Figures; CLIENTS]) -> Result<(), BoxError> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    header(&root, runs)?;
    let (_, panels) = root.split_vertically(HEADER);
    let (goodput, load) = panels.split_vertically(LOAD_FROM - HEADER);

    let mut chart = panel(&goodput, scenario, 0.0..104.0, "good calls, %", "")?;
    phase_names(&root, &chart, scenario)?;
    for (run, colour) in runs.iter().zip(COLOURS) {
        let goodput = run.calls_by_second.iter().map(|&(calls, good)| percent(good, calls));
        chart.draw_series(by_second(goodput, colour))?;
    }

    let most = runs.iter().flat_map(|run| &run.seen_by_second).copied().max().unwrap_or(0);
    let mut chart = panel(&load, scenario, 0.0..most as f64 * 1.08, "requests per second", "time, s")?;
    let capacity = scenario
        .phases
        .iter()
        .flat_map(|phase| [phase.from, phase.until].map(|at| (at.as_secs_f64(), phase.weather.capacity())));
    chart.draw_series(DashedLineSeries::new(capacity, 6, 4, INK.stroke_width(1)))?;
    let above = text(15, &INK, HPos::Left).pos(Pos::new(HPos::Left, VPos::Bottom));
    let healthy = scenario.weather(Duration::ZERO).capacity();
    chart.draw_series([Text::new("capacity", (0.2, healthy + 10.0), above)])?;
    for (run, colour) in runs.iter().zip(COLOURS) {
        chart.draw_series(by_second(run.seen_by_second.iter().map(|&seen| seen as f64), colour))?;
    }
    root.present()?;
    Ok(())
}

fn header(root: &Area<'_>, runs: &[Figures; CLIENTS]) -> Result<(), BoxError> {
    let title = "The same outage for five clients: what they got, and what the server had to bear";
    root.draw(&Text::new(title, (16, 12), text(20, &INK, HPos::Left)))?;
    let corners = [(16, 46), (456, 46), (16, 70), (456, 70), (16, 94)];
    for (((run, name), colour), (x, y)) in runs.iter().zip(NAMES).zip(COLOURS).zip(corners) {
        let (twice, down) = (run.worked_twice, run.seen_while_down);
        let entry =
            format!("{name}: {:.0} % good, {twice} POSTs twice, {down} requests while down", run.goodput());
        root.draw(&PathElement::new([(x, y + 7), (x + 22, y + 7)], colour.stroke_width(4)))?;
        root.draw(&Text::new(entry, (x + 30, y), text(15, &INK, HPos::Left)))?;
    }
    Ok(())
}

/// An empty panel: the phases as bands, the grid and the axes.
fn panel<'a, 'b>(
    area: &'a Area<'b>,
    scenario: &Scenario,
    values: Range<f64>,
    title: &str,
    time: &str,
) -> Result<Chart<'a, 'b>, BoxError> {
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(16)
        .set_label_area_size(LabelAreaPosition::Left, 56)
        .set_label_area_size(LabelAreaPosition::Bottom, if time.is_empty() { 20 } else { 40 })
        .build_cartesian_2d(0.0..scenario.lasts().as_secs_f64(), values.clone())?;
    let troubled = scenario.phases.iter().filter(|phase| phase.weather != Weather::Healthy);
    chart.draw_series(troubled.zip(TROUBLE.iter().cycle()).map(|(phase, colour)| {
        let corners = [(phase.from.as_secs_f64(), values.start), (phase.until.as_secs_f64(), values.end)];
        Rectangle::new(corners, colour.filled())
    }))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(FAINT)
        .x_labels(12)
        .y_labels(6)
        .x_label_formatter(&|seconds| format!("{seconds:.0}"))
        .y_label_formatter(&|value| format!("{value:.0}"))
        .label_style(text(15, &FAINT, HPos::Left))
        .axis_desc_style(text(16, &INK, HPos::Left))
        .x_desc(time)
        .y_desc(title)
        .draw()?;
    Ok(chart)
}

fn phase_names(root: &Area<'_>, chart: &Chart<'_, '_>, scenario: &Scenario) -> Result<(), BoxError> {
    for phase in &scenario.phases {
        let middle = (phase.from + phase.until).as_secs_f64() / 2.0;
        let (x, _) = chart.backend_coord(&(middle, 0.0));
        root.draw(&Text::new(phase.weather.name(), (x, HEADER - 11), text(15, &INK, HPos::Center)))?;
    }
    Ok(())
}

/// A line through the middle of each second.
fn by_second(
    values: impl Iterator<Item = f64>,
    colour: RGBColor,
) -> LineSeries<SVGBackend<'static>, (f64, f64)> {
    let points = values.enumerate().map(|(second, value)| (second as f64 + 0.5, value));
    LineSeries::new(points, colour.stroke_width(2))
}

fn text(size: u32, colour: &'static RGBColor, horizontal: HPos) -> TextStyle<'static> {
    ("sans-serif", size).into_text_style(&SIZE).color(colour).pos(Pos::new(horizontal, VPos::Top))
}
