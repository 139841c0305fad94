// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Holds the stake of one owner and lets it go on voting
/// @notice Staked tokens sit here, one clone per owner, delegated to whom the owner names, so that stock vote code counts them.
/// @dev ROLES: only the Market that made the clone may move tokens or votes. It makes clones by an immutable implementation.
contract StakeSurrogate is Initializable {
    using SafeERC20 for IERC20;

    /// @notice Thrown when anyone but the Market calls.
    error NotMarket(address caller);

    /// @notice The Market that owns all clones of this implementation.
    address public immutable MARKET;
    /// @notice The DPU token.
    address public immutable TOKEN;

    constructor(address market, address token) {
        MARKET = market;
        TOKEN = token;
        _disableInitializers();
    }

    modifier onlyMarket() {
        require(msg.sender == MARKET, NotMarket(msg.sender));
        _;
    }

    /// @notice Delegates the votes of a fresh clone to `delegatee`.
    function initialize(address delegatee) external initializer onlyMarket {
        IVotes(TOKEN).delegate(delegatee);
    }

    /// @notice Sends `amount` to `to`.
    function release(address to, uint256 amount) external onlyMarket {
        IERC20(TOKEN).safeTransfer(to, amount);
    }

    /// @notice Delegates the votes to `delegatee`.
    function delegate(address delegatee) external onlyMarket {
        IVotes(TOKEN).delegate(delegatee);
    }
}
