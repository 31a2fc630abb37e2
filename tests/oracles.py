"""What each exercise's reference, or right answer, was held against: a truth that was not made with it, and where.

id → (the truth in a few words, where it stands). Where is a test, ``file.py::test_name`` below ``tests``, or the first
words of a claim, ``NN_slug: words``. ``None`` for what no computation can decide, with the reason in place of a truth.
``test_exercise_table.py`` checks that each exists; ``python tests/exercise_table.py`` sees each reference's test red.
"""

REFERENCES = "chapters/test_references.py::"
TRUTHS = "chapters/test_truths_of_answers.py::"
JUDGED = "none: a report made up for the question; the text says how to judge it"

ORACLES: dict[str, tuple[str, str | None]] = {
    # 00
    "start.standardise": (
        "mean and spread of the result, from the definition",
        "datasets/test_plane.py::test_standardised_columns_have_mean_zero_and_spread_one",
    ),
    "start.mixture_log_density": (
        "torch.distributions.MixtureSameFamily, values and gradients",
        "chapters/test_ch00_mixture.py::test_the_log_density_is_that_of_torch_distributions_with_its_gradients",
    ),
    "start.gradient_step": (
        "torch.optim.SGD",
        "chapters/test_ch00_mixture.py::test_steps_are_those_of_torchs_own_optimizer",
    ),
    "start.fault_a": ("five trainings with and without the fault", "00_start_here: a: both losses are lowest"),
    "start.fault_b": ("five trainings with and without the fault", "00_start_here: b: the training loss rises"),
    "start.fault_c": ("five trainings with and without the fault", "00_start_here: c, on 40 points"),
    # 00b
    "notation.logvar_from": (
        "variance of torch.distributions, given each writing",
        REFERENCES + "test_a_log_variance_is_that_of_torchs_gaussian",
    ),
    "notation.kl_factor": (
        "autograd of torch's own means",
        TRUTHS + "test_means_weigh_the_kl_as_autograd_finds",
    ),
    "notation.bits_per_character": (
        "every surprise in bits, added up by a loop",
        REFERENCES + "test_bits_per_character_are_all_surprises_in_bits_over_the_characters",
    ),
    "notation.floor_of_the_loss": ("ten trainings and the closed form", "00b_notation: five trainings with the fault"),
    "notation.may_attend": (
        "where F.scaled_dot_product_attention and nn.MultiheadAttention have weight",
        REFERENCES + "test_a_mask_allows_where_torchs_attention_has_weight",
    ),
    # 01
    "likelihood.wasted_bits": ("word lengths of the code itself", "01_likelihood: the code for q wastes exactly"),
    "likelihood.cross_entropy_bits": (
        "F.cross_entropy",
        "information/test_divergences.py::test_bits_a_symbol_are_torchs_loss_over_ln_2",
    ),
    "likelihood.kl_monte_carlo": (
        "closed form, within five standard errors",
        "information/test_divergences.py::test_kl_by_monte_carlo_is_the_closed_form",
    ),
    "likelihood.cats_and_dogs": ("minimised by quadrature", "01_likelihood: forward, from five starts"),
    # 01b
    "codes.narrow": (
        "by hand, and that the parts touch",
        "information/test_coding.py::test_narrow_by_hand_and_its_parts_touch",
    ),
    "codes.context_counts": (
        "counting in strings",
        REFERENCES + "test_counts_after_a_context_are_those_of_strings",
    ),
    "codes.most_likely": ("exact fractions", TRUTHS + "test_the_most_likely_message_by_whole_numbers"),
    "codes.strange_file": ("the other three damages, done", "01b_codes: other counts spoil one of the first ten"),
    # 02
    "attention.softmax_jvp": (
        "autograd's Jacobian",
        "attention/test_dot_product.py::test_softmax_jvp_is_autograds",
    ),
    "attention.variance_prediction": (
        "Monte Carlo with its standard error",
        "02_attention: {entries}: the variance of q·k at d_k = 64 is 64",
    ),
    "attention.scaled_dot_product": (
        "F.scaled_dot_product_attention, values and gradients",
        "attention/test_dot_product.py::test_agrees_with_pytorch_in_values_and_gradients",
    ),
    "attention.is_causal": (
        "functions built with a single leak",
        "attention/test_masks.py::test_is_causal_finds_a_leak_from_one_number_into_one_number",
    ),
    "attention.split_heads": (
        "nn.MultiheadAttention, with and without a mask",
        "attention/test_multi_head.py::test_multi_head_attention_agrees_with_pytorchs",
    ),
    "attention.fault_a": ("row and column sums", TRUTHS + "test_three_tables_of_weights_show_their_faults"),
    "attention.fault_b": ("powers of the scaled weights", TRUTHS + "test_three_tables_of_weights_show_their_faults"),
    "attention.fault_c": ("row and column sums", TRUTHS + "test_three_tables_of_weights_show_their_faults"),
    # 02b
    "attention.paired_difference": (
        "SciPy's paired t-test",
        "evaluation/test_comparisons.py::test_mean_over_error_is_the_statistic_of_the_paired_test",
    ),
    "attention.weight_by_distance": (
        "sums over pairs by a loop",
        REFERENCES + "test_weights_by_distance_are_sums_over_pairs",
    ),
    "attention.curve_a": (
        "recorded trainings of the function with this fault",
        "chapters/test_truths_of_answers.py::test_each_curve_of_02b_is_of_the_recorded_training_with_the_fault_that_is_right",
    ),
    "attention.curve_b": (
        "recorded trainings of the function with this fault",
        "chapters/test_truths_of_answers.py::test_each_curve_of_02b_is_of_the_recorded_training_with_the_fault_that_is_right",
    ),
    "attention.curve_c": (
        "recorded trainings of the function with this fault",
        "chapters/test_truths_of_answers.py::test_each_curve_of_02b_is_of_the_recorded_training_with_the_fault_that_is_right",
    ),
    # 03
    "positions.shift_matrix": (
        "the matrix exponential",
        "attention/test_positions.py::test_shift_matrix_is_an_exponential_and_shifts_add_up",
    ),
    "positions.rotate": (
        "multiplication of complex numbers",
        "attention/test_positions.py::test_rotate_is_multiplication_by_a_complex_number",
    ),
    "positions.online_softmax_update": (
        "torch.softmax of the whole row, any cut into tiles",
        "attention/test_online.py::test_any_cut_into_tiles_gives_the_softmax",
    ),
    # 03b
    "positions.attention_bytes": (
        "what autograd keeps, counted",
        "attention/test_online.py::test_bytes_are_what_autograd_keeps",
    ),
    "positions.backward_products": (
        "products that PyTorch counts",
        "03b_long_context: backward, four where the weights were kept",
    ),
    "positions.long_context": ("the sizes multiplied out", "03b_long_context: the cache of one text of 131,072"),
    # 04
    "transformer.pre_norm_block": (
        "nn.TransformerEncoder, logits and gradients",
        "attention/test_transformer.py::test_outputs_and_gradients_are_those_of_pytorchs_own_stack",
    ),
    "transformer.fault_a": ("variances of five stacks", TRUTHS + "test_the_streams_variance_tells_the_stacks_apart"),
    "transformer.fault_b": ("variances of five stacks", TRUTHS + "test_the_streams_variance_tells_the_stacks_apart"),
    "transformer.forward_flops": (
        "PyTorch's FlopCounterMode on the model",
        "attention/test_transformer.py::test_counts_on_paper_are_those_of_the_model",
    ),
    "transformer.crossover": ("operations that PyTorch counts", "04_transformer: at T = 6C all pairs take half"),
    # 04b
    "long_range.elimination": ("the game played out", "04b_long_range: with four different values elimination gets"),
    "long_range.look_up": (
        "a loop over numbers, and what followed in the row",
        REFERENCES + "test_a_look_up_is_a_loop_over_numbers_and_finds_what_followed",
    ),
    "long_range.verdict": ("a recorded counter-example", "04b_long_range: one of the six trainings by which"),
    # 05
    "language.warmup_then_linear": (
        "values by hand",
        "training/test_optimizers.py::test_schedules_and_arguments",
    ),
    "language.curve_a": ("recorded trainings with this fault", "05_language_model: 50,000 characters in place"),
    "language.curve_c": ("recorded trainings with this fault", "05_language_model: without a mask three of five"),
    "language.top_p_filter": (
        "brute force over all sets",
        "attention/test_sampling.py::test_filters_keep_what_brute_force_keeps",
    ),
    "language.cached_attention": (
        "F.scaled_dot_product_attention over the whole text, row by row",
        REFERENCES + "test_attention_with_a_cache_is_pytorchs_causal_attention_row_by_row",
    ),
    # 05b
    "tokens.merge_pair": (
        "overlaps by hand",
        "attention/test_tokens.py::test_overlaps_are_counted_and_merged_once",
    ),
    "tokens.apply_merges": (
        "the library's fast encoder, written otherwise",
        "attention/test_tokens.py::test_training_and_encoding_are_what_the_plain_functions_say",
    ),
    "tokens.encoder_a": ("four rules written anew on strings", TRUTHS + "test_the_words_shown_fit_one_rule_each"),
    "tokens.encoder_b": ("four rules written anew on strings", TRUTHS + "test_the_words_shown_fit_one_rule_each"),
    "tokens.pair_counts": (
        "overlaps by hand",
        "attention/test_tokens.py::test_overlaps_are_counted_and_merged_once",
    ),
    "tokens.bits_per_character": ("by hand", "attention/test_tokens.py::test_bits_of_a_text"),
    # 06
    "vae.kl_to_standard_normal": (
        "torch.distributions and Monte Carlo",
        "vae/test_bounds.py::test_kl_is_that_of_torch_and_of_monte_carlo_and_zero_at_the_prior",
    ),
    "vae.reparameterize": (
        "quadrature of the bound that its draws estimate",
        "vae/test_bounds.py::test_bounds_against_quadrature",
    ),
    "vae.bernoulli_log_likelihood": (
        "torch.distributions.Bernoulli",
        "vae/test_likelihoods.py::test_likelihoods_are_those_of_torch",
    ),
    "vae.elbo": ("quadrature", "vae/test_bounds.py::test_bounds_against_quadrature"),
    "vae.beta_of_means": (
        "autograd of torch's own means",
        TRUTHS + "test_means_weigh_the_kl_as_autograd_finds",
    ),
    "vae.importance_weighted_bound": ("quadrature", "vae/test_bounds.py::test_bounds_against_quadrature"),
    # 06b
    "vae.best_linear_encoder": (
        "the joint Gaussian conditioned, and torch's KL at its minimum",
        REFERENCES + "test_the_best_linear_encoder_is_nearest_to_the_gaussian_that_pytorch_conditions",
    ),
    "vae.latents_in_use": ("trained at six noises", "06b_linear_vae: a latent has collapsed exactly where"),
    "vae.doubly_reparameterized_surrogate": (
        "the bound's own gradient, as a mean over draws",
        "vae/test_bounds.py::test_doubly_reparameterized_gradients_have_the_mean_of_the_bounds_gradient",
    ),
    # 07
    "vae.transposed_size": (
        "nn.ConvTranspose2d's output",
        "vae/test_models.py::test_the_size_of_a_transposed_convolution_is_the_layers",
    ),
    "vae.batch_loss": (
        "F.binary_cross_entropy_with_logits and torch.distributions",
        REFERENCES + "test_the_loss_of_a_batch_is_torchs_sums_over_the_batch",
    ),
    "vae.effective_draws": ("exact fractions", REFERENCES + "test_effective_draws_are_fractions"),
    # 07b
    "vae.spherical_path": (
        "lengths, angles and the plane, as defined",
        "vae/test_latents.py::test_a_spherical_path_keeps_to_the_plane_turns_evenly_and_changes_its_length_evenly",
    ),
    "vae.information_limit": ("estimated from a trained model", "07b_inside_the_latents: 50 latents: the information"),
    "vae.active_units": (
        "codes made with known variances",
        "vae/test_latents.py::test_a_unit_is_active_where_its_mean_varies_and_its_width_does_not_matter",
    ),
    # 08
    "vae.ans_step": ("by hand, in whole numbers", "information/test_ans.py::test_steps_by_hand"),
    "vae.initial_bits": ("codes drawn from 4,096 bins", TRUTHS + "test_the_first_image_takes_what_drawn_codes_take"),
    "vae.self_normalized_weights": (
        "by hand",
        "vae/test_inpainting.py::test_weights_and_their_effective_size_by_hand",
    ),
    "vae.log_acceptance": (
        "balance of four states, all pairs",
        REFERENCES + "test_accepted_so_four_states_are_in_balance_with_the_target_and_no_more_is_refused_than_need_be",
    ),
    # 08b
    "vae.auroc": (
        "scikit-learn and SciPy's Mann–Whitney statistic",
        "evaluation/test_auroc.py::test_auroc_is_scikit_learns_and_the_mann_whitney_statistic_with_ties",
    ),
    "vae.which_failure_1": ("recorded trainings with this cause", "08b_vae_limits: the strong decoder's ELBO"),
    "vae.which_failure_2": ("recorded trainings with this cause", "08_vae_in_use: at β = 0.1 the rate is about three"),
    # 09
    "gan.discriminator_loss": (
        "F.binary_cross_entropy_with_logits, value and gradient",
        "gan/test_losses.py::test_they_are_torchs_cross_entropy_with_the_right_labels_in_value_and_gradient",
    ),
    "gan.nonsaturating_generator_loss": (
        "F.binary_cross_entropy_with_logits, value and gradient",
        "gan/test_losses.py::test_they_are_torchs_cross_entropy_with_the_right_labels_in_value_and_gradient",
    ),
    "gan.optimal_discriminator": (
        "maximum of the value, searched for",
        "information/test_divergences.py::test_the_optimal_discriminator_is_where_the_value_has_its_maximum",
    ),
    "gan.read_the_loss": (
        "two distributions that have this loss",
        TRUTHS + "test_a_loss_of_1_10_is_read_as_the_divergence_of_two_distributions_that_have_it",
    ),
    "gan.parallel_lines": ("fifteen games played", "09_gan_game: non-saturating and Wasserstein: ten runs of ten"),
    # 09b
    "gan.reverse_kl_loss": (
        "F.kl_div at the best outputs, and no better ones",
        REFERENCES + "test_the_best_value_of_the_reverse_loss_is_minus_torchs_kl_and_stands_still",
    ),
    "gan.wasserstein_1d": (
        "scipy.stats.wasserstein_distance",
        "information/test_transport.py::test_on_a_line_it_is_scipys_for_any_two_sizes",
    ),
    "gan.penalised_critic": ("five critics trained", "09b_divergences: it reports W₁ + W₁²/2λ"),
    # 10
    "gan.dirac_eigenvalues": (
        "eigenvalues of autograd's Jacobian",
        "gan/test_dirac.py::test_eigenvalues_are_those_of_the_fields_jacobian",
    ),
    "gan.alternating_step": (
        "by hand, the discriminator first",
        "gan/test_dirac.py::test_alternating_takes_the_discriminator_first_and_paths_start_at_the_start",
    ),
    "gan.path_diagnosis": ("eigenvalues beyond the limit", "10_gan_dynamics: R1 in turn: both multipliers"),
    # 10b
    "gan.power_iteration": (
        "torch.linalg.svdvals",
        "gan/test_penalties.py::test_power_iteration_reaches_the_largest_singular_value",
    ),
    "gan.reshaped_norm": ("the convolution as a matrix", "10b_steepness: the larger kernels stretch more"),
    "gan.gradient_penalty": (
        "a linear critic by hand",
        "gan/test_penalties.py::test_the_gradient_penalty_of_a_linear_critic_by_hand",
    ),
    # 11
    "gan.training_step": (
        "the textbook's step, written out with its own optimizers",
        "gan/test_step.py::test_one_step_is_the_textbooks",
    ),
    "gan.gaussian_frechet_distance": (
        "scipy.linalg.sqrtm",
        "evaluation/test_frechet.py::test_frechet_distance_is_scipys_for_covariances_of_full_rank",
    ),
    "gan.symptom_1": ("the arm that the record drew", TRUTHS + "test_the_patients_are_the_arms_that_the_record_names"),
    "gan.symptom_2": ("the arm that the record drew", TRUTHS + "test_the_patients_are_the_arms_that_the_record_names"),
    "gan.symptom_3": ("the arm that the record drew", TRUTHS + "test_the_patients_are_the_arms_that_the_record_names"),
    # 11b
    "gan.density_and_coverage": (
        "scikit-learn's neighbours",
        "evaluation/test_neighbours.py::test_manifolds_are_those_of_scikit_learns_neighbours",
    ),
    "gan.kernel_distance": (
        "scikit-learn's kernel, pair by pair",
        "evaluation/test_frechet.py::test_kernel_distance_is_the_unbiased_mean_of_scikit_learns_kernel",
    ),
    "gan.blind_number": ("the heap made and measured", "11b_metrics: 100 real digits, 20 times each"),
    # 12
    "together.kernel_by_hand": (
        "exact fractions, and the library",
        "chapters/test_exercises_ch12.py::"
        "test_the_kernel_by_hand_is_the_librarys_and_the_tempting_numbers_are_what_they_say",
    ),
    "together.mixture_of_orderings": (
        "probabilities of all eight images sum to one",
        "chapters/test_exercises_ch12.py::"
        "test_the_mixture_of_any_orderings_sums_to_one_and_what_averages_inside_does_not",
    ),
    "together.report_1": ("all images of three pixels", "12_three_families: six orderings that agree"),
    "together.report_2": (JUDGED, None),
    "together.report_3": ("lzma on both", "12_three_families: the same test digits, cut at one half"),
    "together.report_4": ("a toy that remembers", "12_three_families: with 65 to 75 of 100 test digits leaked"),
    "together.report_5": (JUDGED, None),
    "together.vae_good_samples": ("the record", "12_three_families: VAE, good samples"),
    "together.vae_hard_to_train": ("the record", "12_three_families: VAE, complicated training"),
    "together.vae_collapses": ("the record", "12_three_families: VAE, few kinds"),
    "together.gan_most_realistic": ("the record", "12_three_families: GAN, most realistic"),
    "together.gan_unstable": ("the record", "12_three_families: GAN, unstable"),
    "together.gan_collapses": ("the record", "12_three_families: GAN, few kinds"),
    "together.gan_needs_tuning": ("ten recorded trials", "12_three_families: GAN: unmoved, rates from a half"),
    "together.transformer_far_back": ("rows exchanged, live", "12_three_families: with another digit's first seven"),
    "together.transformer_expensive": ("the record", "12_three_families: Transformer, expensive"),
    # 13
    "together.half_the_excess": (
        "the power itself",
        "chapters/test_exercises_ch13.py::test_half_of_the_excess_takes_sixteen_times_the_data",
    ),
    "together.fit_power_law": (
        "laws that are known",
        "evaluation/test_power_laws.py::test_an_exact_law_comes_back",
    ),
    "together.from_little": (
        "the record's means",
        "chapters/test_exercises_ch13.py::test_what_buys_most_is_what_the_record_says",
    ),
    "together.from_much": (
        "the record's means",
        "chapters/test_exercises_ch13.py::test_what_buys_most_is_what_the_record_says",
    ),
    "together.training_seconds": (
        "operations that PyTorch counts, forward and backward",
        REFERENCES + "test_a_trainings_operations_are_those_that_pytorch_counts_forward_and_backward",
    ),
    # 14
    "together.product_intensity": (
        "by hand",
        "training/test_roofline.py::test_the_intensity_of_products_by_hand",
    ),
    "together.batch_at_the_ridge": (
        "searched for with the library's intensity",
        TRUTHS + "test_so_many_sequences_reach_the_ridge_of_the_card",
    ),
    "together.profile_a": (
        "recorded profiles",
        TRUTHS + "test_the_profiles_differ_from_the_sound_one_in_what_is_named",
    ),
    "together.profile_b": (
        "recorded profiles",
        TRUTHS + "test_the_profiles_differ_from_the_sound_one_in_what_is_named",
    ),
    "together.profile_c": (
        "recorded profiles",
        TRUTHS + "test_the_profiles_differ_from_the_sound_one_in_what_is_named",
    ),
    "together.accumulated_gradient": (
        "autograd of the whole batch",
        "training/test_accumulate.py::test_unequal_parts_give_the_gradient_of_the_whole",
    ),
    "together.step_on_paper": ("measured, recorded", TRUTHS + "test_the_step_on_paper_was_measured"),
    # 14b
    "together.whole_gradient": (
        "autograd of all rows",
        REFERENCES + "test_the_whole_gradient_is_autograds_of_all_rows",
    ),
    "together.run_a": (
        "two devices simulated",
        TRUTHS + "test_two_devices_that_agree_were_averaged_and_the_wrong_rows_show_in_the_first_step",
    ),
    "together.run_b": (
        "two devices simulated",
        TRUTHS + "test_two_devices_that_agree_were_averaged_and_the_wrong_rows_show_in_the_first_step",
    ),
    "together.ring_all_reduce": (
        "sums of all devices' chunks",
        "chapters/test_exercises_ch14b.py::test_after_all_steps_each_device_holds_one_whole_chunk",
    ),
    "together.bytes_a_device": (
        "a published figure (ZeRO, figure 1)",
        "chapters/test_exercises_ch14b.py::test_the_stages_are_those_of_the_papers_figure",
    ),
    "together.training_days": (
        "a published table (Brown et al. 2020, D.1)",
        REFERENCES + "test_gpt_3_takes_as_many_petaflop_days_as_were_published",
    ),
    # 15
    "diffusion.noised_pair": (
        "a loop over rows, and differences of the coefficients",
        "diffusion/test_paths.py::test_a_pair_is_a_place_on_the_way_and_the_slope_of_the_way_there",
    ),
    "diffusion.data_and_noise": (
        "the data and noise that a place and its differences come from",
        "diffusion/test_paths.py::test_a_velocity_and_a_place_tell_the_data_and_the_noise_they_came_from",
    ),
    "diffusion.heun_step": (
        "the trapezium, and the power series of a decay",
        "diffusion/test_samplers.py::test_one_step_of_heun_is_a_trapezium_and_its_far_end_is_where_eulers_step_leads",
    ),
    "diffusion.guided": (
        "a model whose answers are known",
        "diffusion/test_guidance.py::test_guidance_goes_from_any_class_towards_the_class_asked_for_and_beyond",
    ),
    "diffusion.symptom_1": ("the six faults, done", "15_diffusion: at the image's rim, times that are not stretched"),
    "diffusion.symptom_2": ("the six faults, done", "15_diffusion: noise as velocity spreads the pixels"),
    # 15b
    "diffusion.level_term": (
        "torch's KL of the two Gaussians, from their joint distribution",
        "diffusion/test_levels.py::test_a_level_costs_torchs_kl_of_the_two_gaussians",
    ),
    "diffusion.bits_per_dimension": (
        "images of known probability, by hand",
        "diffusion/test_levels.py::test_bits_of_known_images",
    ),
    "diffusion.noise_again": (
        "mean, variance and correlation of 200,000 draws",
        "diffusion/test_inpainting.py::test_noising_again_has_the_moments_of_the_earlier_time",
    ),
    "diffusion.perfect_network": (
        "the exact flow of 100 digits, followed",
        "15b_flows_in_use: the best velocity for 100 digits leads",
    ),
    # 16
    "text.straight_through": (
        "autograd: the identity's derivative at z, none at the entries",
        "vae/test_quantised.py::test_forward_it_is_the_entry_and_backward_it_is_not_there",
    ),
    "text.inputs_and_targets": (
        "the chain rule, by a loop over all beginnings",
        "attention/test_captioned.py::test_the_loss_is_the_mean_over_symbols_of_what_the_chain_rule_says",
    ),
    "text.guided_distribution": (
        "Bayes' rule on a table of joint probabilities",
        "chapters/test_ch16_drawing.py::test_guidance_is_bayes_rule_with_a_power_on_the_captions_probability",
    ),
    "text.look_at_words": (
        "F.scaled_dot_product_attention",
        "chapters/test_ch16_drawing.py::test_what_places_find_is_torchs_attention_over_the_words_that_are_there",
    ),
    "text.symptom_1": ("the six faults, done", "16_text_to_image: sorted words exchange more colours"),
    "text.symptom_2": ("the six faults, done", "16_text_to_image: laid out in columns fewer than"),
    # 16b
    "clip.contrastive_loss": (
        "the surprise of both questions, written out",
        "diffusion/test_contrastive.py::test_the_loss_is_the_mean_surprise_of_both_questions_written_out",
    ),
    "clip.information_bound": (
        "every batch of three pairs of a known joint distribution",
        "diffusion/test_contrastive.py::test_the_bound_is_below_the_information_and_grows_with_the_batch",
    ),
    "clip.climb": (
        "a linear score, by hand",
        "diffusion/test_contrastive.py::test_a_step_up_a_linear_score_goes_by_signs_and_stays_within_its_limits",
    ),
    "clip.which_rate": (
        "pictures that climbed, and what a program finds in them",
        "16b_picture_of_a_meaning: 60 climbed pictures are on average at least as near",
    ),
    # 17
    "chat.answers_alone": (
        "the library's template and batches, which have their own tests by hand",
        "chapters/test_ch17_chat.py::test_what_is_learned_is_what_the_template_and_its_batches_learn",
    ),
    "chat.merged_weight": (
        "the layer with its three matrices, given inputs",
        "chapters/test_ch17_chat.py::test_the_merged_matrix_does_what_the_layer_with_three_matrices_does",
    ),
    "chat.vote": ("elections by hand", "chat/test_sampling.py::test_a_vote"),
    "chat.write_with_calculator": (
        "a conversation by hand, with a writer that makes results up",
        "chat/test_tools.py::test_the_loop_writes_true_results_over_made_up_ones",
    ),
    "chat.symptom_1": ("the six faults, done", "17_chat: without <end> among what is learned"),
    "chat.symptom_2": ("the six faults, done", "17_chat: on a hundred training questions"),
    # 17b
    "prefer.pass_at_k": (
        "every choice of k of n answers, counted",
        "chat/test_rewards.py::test_pass_at_k_is_a_count_over_all_choices",
    ),
    "prefer.dpo_loss": (
        "probabilities of whole answers, multiplied out by hand",
        "chapters/test_ch17b_experiment.py::test_dpos_loss_is_that_of_probabilities_multiplied_out",
    ),
    "prefer.leave_one_out_advantages": (
        "the gradient of the mean reward, over all groups of three answers",
        "chat/test_rewards.py::test_the_gradient_is_that_of_the_expected_reward_over_all_groups_exactly",
    ),
    "prefer.kl_estimate": (
        "torch's KL of the two distributions",
        "chat/test_rewards.py::test_k3_has_the_kl_as_its_mean_and_is_never_negative",
    ),
    "prefer.symptom_1": (
        "the six faults, done",
        "17b_preferences_and_rewards: with a reference that moves along the KL as logged",
    ),
    "prefer.symptom_2": (
        "the six faults, done",
        "17b_preferences_and_rewards: where all groups are even the gradient is 0",
    ),
}
