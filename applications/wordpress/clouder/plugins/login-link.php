<?php
/*
 * Plugin Name: Login link
 * Description: Lets in whoever brings a link that login.php printed, once. Always active: it stands outside the folder of plugins.
 */

add_action('init', function () {
    $token = $_GET['clouder_login'] ?? null;
    if (!is_string($token)) return;
    $key = 'clouder_login_' . hash('sha256', $token);
    $user = get_transient($key);
    // Of two who bring one link at once, the one whose delete found it is let in.
    if (!$user || !delete_transient($key)) wp_die('This link was used, or is too old.', '', ['response' => 403]);
    wp_set_auth_cookie((int) $user);
    wp_safe_redirect(admin_url());
    exit;
});
