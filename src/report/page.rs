//! The page: its template, style and script, filled in.

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};

use super::Report;
use super::page_view::PageView;
use crate::error::{Error, Result};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The report as HTML. What comes from the clips is escaped by the template engine, since the template's name ends in html.
pub(super) fn render(report: &Report) -> Result<String> {
    let view = Value::from(Serde(PageView::of(report)));
    let filled = Environment::new().render_named_str(
        "page.html",
        TEMPLATE,
        context! {
            style => Value::from_safe_string(STYLE.to_owned()),
            script => Value::from_safe_string(SCRIPT.to_owned()),
            page => view,
        },
    );
    filled.map_err(|error| Error::Option(format!("the report cannot be made: {error}")))
}

#[cfg(test)]
mod tests {
    use super::super::{ClipReport, Report};
    use crate::compare::{Comparison, Normalizer, TimedText};

    fn clip(name: &str, said: &str, heard: &str) -> ClipReport {
        let [said, heard] = [said, heard].map(|text| TimedText::plain(text, Some("en")));
        ClipReport::new(name, Comparison::new(&said, &heard, Normalizer::None))
    }

    #[test]
    fn the_worst_clip_is_first_and_nothing_needs_a_network() {
        let mut report = Report::new("Two clips");
        report.clips = vec![
            clip("good.wav", "so it goes", "so it goes"),
            clip("bad.wav", "so it goes", "he knows"),
        ];
        let page = report.html().unwrap();
        assert!(page.find("<h2>bad.wav").unwrap() < page.find("<h2>good.wav").unwrap());
        for reach in ["http:", "https:", "src=\"/", "@import", "url("] {
            assert!(!page.contains(reach), "{reach}");
        }
    }

    #[test]
    fn texts_are_no_markup() {
        let mut report = Report::new("<b>title</b>");
        report.facts = vec![("<i>".to_owned(), "</script>".to_owned())];
        report.clips = vec![clip(
            "<img>",
            "<script>alert(1)</script> a",
            "\"onload=\" a",
        )];
        let page = report.html().unwrap();
        assert!(page.contains("&lt;b&gt;title"));
        assert!(!page.contains("<img>") && !page.contains("<script>alert"));
        assert_eq!(page.matches("</script>").count(), 1);
    }

    #[test]
    fn a_report_without_clips_is_a_page() {
        let page = Report::new("Nothing").html().unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    }
}
