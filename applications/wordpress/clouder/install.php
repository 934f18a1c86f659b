<?php
// Sets the site up from the container's environment. Of a site that is set up only the administrator's password follows it, where
// it is another one than at the start before, so every start may run this.
define('WP_INSTALLING', true);

// Nobody is written to: who ordered the site knows of it, and containers have no mail server.
function wp_new_blog_notification() {}

require __DIR__ . '/load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

// Which password was set last, and not what it is: one that the administrator chose since then stays.
function is_new_password() {
    $kept = get_option('clouder_admin_password', '');
    return $kept === '' || !password_verify(getenv('ADMIN_PASSWORD'), $kept);
}

function keep_password() {
    update_option('clouder_admin_password', password_hash(getenv('ADMIN_PASSWORD'), PASSWORD_DEFAULT));
}

if (is_blog_installed()) {
    $admin = get_user_by('login', getenv('ADMIN_USER'));
    if (get_option('clouder_admin_password', '') !== '' && is_new_password() && $admin)
        wp_set_password(getenv('ADMIN_PASSWORD'), $admin->ID);
    if (is_new_password()) keep_password();
    exit(0);
}

$made = wp_install(
    getenv('WORDPRESS_TITLE'),
    getenv('ADMIN_USER'),
    getenv('ADMIN_EMAIL'),
    true,
    '',
    getenv('ADMIN_PASSWORD'),
);
if (is_wp_error($made)) exit(1);
keep_password();
