//! All filters of a window, in their order.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};

use super::{DeviceFilter, FilterContext, LaterFilter, LogitFilter};

/// Filters that are applied one after the other.
#[derive(Clone, Debug, Default)]
pub struct FilterChain {
    filters: Vec<Arc<dyn LogitFilter>>,
}

/// The same filters on a device.
#[derive(Debug)]
pub struct DeviceFilterChain {
    filters: Vec<Box<dyn DeviceFilter>>,
}

impl FilterChain {
    /// Adds a filter after the others.
    pub fn push(&mut self, filter: impl LogitFilter + 'static) {
        self.filters.push(Arc::new(filter));
    }

    /// Adds filters that are shared with others after those here.
    pub fn extend(&mut self, filters: &[Arc<dyn LogitFilter>]) {
        self.filters.extend(filters.iter().cloned());
    }

    /// Puts all filters on a device; `None` when one of them works on the host alone, so that logits have to be read.
    pub fn on_device(&self, n_vocab: usize, device: &Device) -> Option<DeviceFilterChain> {
        let filters = self.filters.iter();
        Some(DeviceFilterChain {
            filters: filters
                .map(|filter| filter.on_device(n_vocab, device))
                .collect::<Option<_>>()?,
        })
    }
}

impl LogitFilter for FilterChain {
    fn apply(&self, context: &FilterContext<'_>, logits: &mut [f32]) {
        for filter in &self.filters {
            filter.apply(context, logits);
        }
    }

    fn on_device(&self, n_vocab: usize, device: &Device) -> Option<Box<dyn DeviceFilter>> {
        Some(Box::new(FilterChain::on_device(self, n_vocab, device)?))
    }
}

impl DeviceFilterChain {
    /// The filters for the steps after the first; `None` when one of them has to know the numbers of the steps.
    pub fn later(&self) -> Option<Vec<&dyn LaterFilter>> {
        self.filters.iter().map(|filter| filter.later()).collect()
    }
}

impl DeviceFilter for DeviceFilterChain {
    fn apply(&self, sampled: &Tensor<2, Int>, step: usize, logits: Tensor<2>) -> Tensor<2> {
        (self.filters.iter()).fold(logits, |logits, filter| filter.apply(sampled, step, logits))
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::testing::assert_same_on_the_device;
    use super::super::{NoRepeatNgram, SuppressBlank, SuppressTokens, TimestampRules};
    use super::*;

    #[derive(Debug)]
    struct Raise(f32);

    impl LogitFilter for Raise {
        fn apply(&self, _: &FilterContext<'_>, logits: &mut [f32]) {
            logits[0] = (logits[0] + 1.0) * self.0;
        }
    }

    fn built_in() -> FilterChain {
        let mut chain = FilterChain::default();
        chain.push(SuppressBlank::new(vec![2, 4]));
        chain.push(SuppressTokens::new(vec![3]));
        chain.push(TimestampRules {
            eot: 4,
            no_timestamps: 5,
            timestamp_begin: 6,
            max_initial_timestamp_index: Some(1),
        });
        chain
    }

    #[test]
    fn filters_are_applied_in_order() {
        let mut chain = FilterChain::default();
        chain.push(Raise(2.0));
        chain.extend(&[Arc::new(Raise(3.0))]);
        let mut logits = [1.0];
        chain.apply(&FilterContext::new(&[]), &mut logits);
        assert_eq!(logits, [15.0]);
    }

    #[test]
    fn a_chain_of_built_in_filters_is_the_same_on_the_device() {
        let logits = [vec![0.5; 12], (0..12).map(|id| id as f32).collect()];
        assert_same_on_the_device(&built_in(), &[&[], &[]], &logits);
        assert_same_on_the_device(&built_in(), &[&[6, 1], &[7, 0]], &logits);
    }

    #[test]
    fn a_filter_of_the_host_keeps_its_chain_there() {
        let device = Device::flex();
        assert!(built_in().on_device(12, &device).is_some());
        let mut chain = built_in();
        chain.push(NoRepeatNgram::new(2));
        assert!(chain.on_device(12, &device).is_none());
        assert!(LogitFilter::on_device(&chain, 12, &device).is_none());
    }
}
