//! The page that `whisper-rs compare --html` writes, in a real browser.
#![cfg(feature = "cli")]

#[path = "common/browser.rs"]
mod browser;
mod common;

use std::fs;

use common::{data, run};

/// What the page itself leaves, and what a reader's clicks do: written into the page's root, where the browser's dump has it.
const READER: &str = "<script>
addEventListener('load', () => {
  const state = document.documentElement.dataset;
  const clip = document.querySelector('.clip');
  const track = clip.querySelector('.track');
  state.picture = clip.querySelector('.log-mel').naturalHeight;
  state.timelineWidth = track.clientWidth > 500;
  clip.querySelector('[data-zoom=fit]').click();
  const whole = track.clientWidth;
  clip.querySelector('[data-zoom=\"2\"]').click();
  state.zoomed = (track.clientWidth / whole).toFixed(2);
  clip.querySelector('[data-step=\"1\"]').click();
  state.chosen = [...clip.querySelectorAll('.word.chosen')].map((word) => word.textContent.trim()).join();
  clip.querySelectorAll('.pair.hit')[1].click();
  state.clicked = clip.querySelector('.pair.chosen').textContent.trim();
  const word = clip.querySelector('.word.sub').getBoundingClientRect();
  const axis = track.getBoundingClientRect();
  state.place = ((word.left - axis.left) / axis.width).toFixed(2);
});
</script>";

#[test]
#[ignore = "needs chromium"]
fn the_script_runs_and_differences_can_be_walked() {
    let folder = tempfile::tempdir().unwrap();
    // One word of the clip is another one, and markup is text.
    let heard = folder.path().join("<b>heard.json");
    let text = fs::read_to_string(data("reference/base/jfk-words.json")).unwrap();
    fs::write(&heard, text.replace("Americans", "mariners")).unwrap();
    let page = folder.path().join("page.html");
    let said = data("reference/base/jfk-words.json");
    let clip = data("jfk.wav");
    let paths = [&said, &heard, &clip, &page].map(|path| path.to_str().unwrap());
    run(&[
        "compare", paths[0], paths[1], "--audio", paths[2], "--html", paths[3],
    ])
    .succeeded();
    let html = fs::read_to_string(&page).unwrap();
    fs::write(&page, html.replace("</body>", &format!("{READER}</body>"))).unwrap();

    let dom = browser::shown(&format!("file://{}", page.display()));
    let root = &dom[dom.find("<html").unwrap()..];
    let root = &root[..root.find('>').unwrap()];
    assert!(!root.contains("data-error"), "{root}");
    for left in [
        "data-ready=\"true\"",
        "data-differences=\"1\"",
        // The features of 80 mel bins.
        "data-picture=\"80\"",
        "data-timeline-width=\"true\"",
        "data-zoomed=\"2.00\"",
        "data-chosen=\"americans,mariners\"",
        "data-clicked=\"so\"",
    ] {
        assert!(root.contains(left), "{left} in {root}");
    }
    // "Americans" is said between 1.4 s and 3.2 s of 11 s.
    let place = root.split("data-place=\"").nth(1).unwrap();
    let place: f64 = place.split('"').next().unwrap().parse().unwrap();
    assert!((0.12..0.3).contains(&place), "{place}");
    assert!(dom.contains("&lt;b&gt;heard.json"));
}
