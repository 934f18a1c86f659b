<?php
/*
 * Plugin Name: User limit
 * Description: No more users than were ordered. Always active: it stands outside the folder of plugins.
 */

// A user without data is refused by WordPress, wherever it was to be added: console, REST, XML-RPC.
add_filter('wp_pre_insert_user_data', function ($data, $isUpdate) {
    $limit = get_option('clouder_user_limit');
    if ($isUpdate || $limit === false) return $data;
    return count_users()['total_users'] >= (int) $limit ? [] : $data;
}, 10, 2);

// The page of all options shows it, and may not change it.
add_filter('pre_update_option_clouder_user_limit', function ($value, $old) {
    return PHP_SAPI === 'cli' ? $value : $old;
}, 10, 2);
